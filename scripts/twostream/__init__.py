"""The library behind the scripts: everything that is worth a test of its own.

The one package with code: libraries read the arithmetic as they load, so it is set before any module here
imports them.
"""

from twostream.arithmetic import set_up

set_up()
