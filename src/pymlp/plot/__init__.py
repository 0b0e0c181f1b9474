"""Pictures of activations, of training and of networks; they need ``pip install 'pymlp[plot]'``.

Every function draws on the Axes given as `ax`, touching nothing else, and returns it. Without `ax`
it makes a new figure by `matplotlib.pyplot.subplots`: a notebook shows it at the end of the cell,
a script calls ``ax.figure.savefig("picture.png")`` or `matplotlib.pyplot.show`, and no display is
needed until then. Colours are told apart by everyone, and never alone carry a meaning.
"""

from pymlp.plot.boundary import decision_boundary
from pymlp.plot.curves import activation, gradients
from pymlp.plot.diagram import network
from pymlp.plot.learning import history

__all__ = ["activation", "decision_boundary", "gradients", "history", "network"]


def __dir__() -> list[str]:
    return sorted(__all__)
