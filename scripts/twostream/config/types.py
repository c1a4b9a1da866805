"""What the models of the configuration and of recipes have in common."""

import os
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$")]
RunName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
SHA256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MD5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
# Of a file or folder of the user's; `~` is their home.
UserPath = Annotated[str, Field(min_length=1), AfterValidator(os.path.expanduser)]


class Strict(BaseModel):
    """A model that takes no unknown key and converts no type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
