"""PCA lighting: colours changed along their principal components (Krizhevsky et al. 2012, section 4.1).

The components are those of ImageNet's pixels as Facebook's fb.resnet.torch gave them, from which most
implementations have them: eigenvalues of the covariance of R, G, B from 0 to 1, and its eigenvectors.
AlexNet's authors did not publish theirs.
"""

import numpy as np

EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
# Rows R, G, B; a column for each component.
EIGENVECTORS = np.array(
    [
        [-0.5675, 0.7192, 0.4009],
        [-0.5808, -0.0045, -0.8140],
        [-0.5836, -0.6948, 0.4203],
    ]
)


def lighting(coefficients: np.ndarray) -> np.ndarray:
    """Return what is added to R, G, B (of 255), [3], for the coefficients of the three components, [3].

    Each component is multiplied by its coefficient and its eigenvalue.
    """
    added: np.ndarray = 255 * (EIGENVECTORS * (coefficients * EIGENVALUES)).sum(axis=1)
    return added
