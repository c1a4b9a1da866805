# What the rules have in common: see scripts/twostream/wire.py.
wire = Wire(workflow, plan)
remade_if_stale = wire.remade_if_stale
spec_file = wire.spec_file
