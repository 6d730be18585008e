"""A sweep: data sets by students by seeds, each trained and scored by the commands that a person would type.

`spec` is the YAML file, `cells` its matrix and the commands of each cell, `state` what of them is done, `chain` runs
what is not, `table` and `comparing` are what came out. There is no scheduler here: it is a chain of commands, and
every cell can be given to another program as one line.
"""
