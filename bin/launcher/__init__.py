"""The launcher behind ./oms: sets up what is missing and runs Odoo, the tests, the linters and the bench.

Standard library only, so that it works before anything is installed. One concept a file:
``layout`` knows where things are, ``setup`` lists the steps, each other file is one step or one command.
"""
