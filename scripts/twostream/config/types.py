"""What the models of the configuration and of recipes have in common."""

import os
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Where a schema has, for the manual, what a value may be if its type says too little; to others a comment.
VALUES = "$comment"


def given_as(text: str) -> Any:
    """Return what says of a type, or of a key, what the manual is to have as its values."""
    return Field(json_schema_extra={VALUES: text})


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$"), given_as("letters, digits and `_`")]
RunName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
SHA256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), given_as("64 hexadecimal digits")]
MD5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$"), given_as("32 hexadecimal digits")]
# Of a file or folder of the user's; `~` is their home.
UserPath = Annotated[str, Field(min_length=1), AfterValidator(os.path.expanduser), given_as("a path")]


class Strict(BaseModel):
    """A model that takes no unknown key and converts no type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
