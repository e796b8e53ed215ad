"""What answers under attack are: right, sure, far ahead."""
