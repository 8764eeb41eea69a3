"""The proof, without AWS, that the roles of a stack suffice and grant nothing else.

What the functions were seen to call is evaluated against the policies of the synthesised
template. No emulator here enforces them.
"""
