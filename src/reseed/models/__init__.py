"""What learns: factories of small reference networks, text encoders and the user's own models.

A model is always described by a `ModelConfig` and drawn afresh for each run with `draw_model`; no instance is
ever shared between runs.
"""

from reseed.models._activations import Activations, Modules
from reseed.models._architecture import AbstractArchitecture, Prepared, RawInputs
from reseed.models._config import ModelConfig
from reseed.models._draw import ParameterOrigins, draw_model, parameter_origins, seedless_weights
from reseed.models._embeddings import EmbeddingNetwork, check_continuous, embedding_network, is_token_ids
from reseed.models._fine_tuned import untrimmed
from reseed.models._folded import folded, gains_by_channels_last
from reseed.models._input_layers import CenterCrop, PerImageWhitening, center_crop, per_image_whitening
from reseed.models._networks import Ensemble, Networks, served, state_of, with_state
from reseed.models._registry import MODELS, architecture, check_model_name, suggested_model
from reseed.models._stack import StackedModel, check_stackable
from reseed.models._tensors import first_difference, own_tensors, tensors_of
from reseed.models._undisturbed import undisturbed
from reseed.models._user import named_model, trained_networks
from reseed.models._vision import residual_branches
from reseed.models._vmapped import VmappedModel, vmapped_model

__all__ = [
    "MODELS",
    "AbstractArchitecture",
    "Activations",
    "CenterCrop",
    "EmbeddingNetwork",
    "Ensemble",
    "ModelConfig",
    "Modules",
    "Networks",
    "ParameterOrigins",
    "PerImageWhitening",
    "Prepared",
    "RawInputs",
    "StackedModel",
    "VmappedModel",
    "architecture",
    "center_crop",
    "check_continuous",
    "check_model_name",
    "check_stackable",
    "draw_model",
    "embedding_network",
    "first_difference",
    "folded",
    "gains_by_channels_last",
    "is_token_ids",
    "named_model",
    "own_tensors",
    "parameter_origins",
    "per_image_whitening",
    "residual_branches",
    "seedless_weights",
    "served",
    "state_of",
    "suggested_model",
    "tensors_of",
    "trained_networks",
    "undisturbed",
    "untrimmed",
    "vmapped_model",
    "with_state",
]
