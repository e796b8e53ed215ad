"""The pages of designs: several studies of one recipe that answer one question together.

`_page.make_design_page` puts any of them together; a file for each design says what is on its page, as plain data.
"""
