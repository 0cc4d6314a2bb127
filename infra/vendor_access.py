"""What one vendor's keys may do: read and list its own prefix of the outbox, and nothing else.

python -m infra.vendor_access s3://outbox[/prefix] VENDOR [--seaweedfs]
"""

import json
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

app = typer.Typer(pretty_exceptions_enable=False)


def iam_policy(outbox: str, vendor: str) -> dict[str, Any]:
    """A policy of AWS's kind for a role or user of the vendor's; terraform/roles.tf makes the same."""
    bucket, below = _place(outbox, vendor)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadOwnFiles", "Effect": "Allow", "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{bucket}/{below}/*",
            },
            {
                "Sid": "ListOwnFiles", "Effect": "Allow", "Action": "s3:ListBucket",
                "Resource": f"arn:aws:s3:::{bucket}", "Condition": {"StringLike": {"s3:prefix": f"{below}/*"}},
            },
        ],
    }  # fmt: skip


def seaweedfs_identity(outbox: str, vendor: str, access_key: str, secret_key: str) -> dict[str, Any]:
    """An entry of `identities` in SeaweedFS's s3.json."""
    bucket, below = _place(outbox, vendor)
    return {
        "name": vendor,
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": [f"{action}:{bucket}/{below}/*" for action in ("Read", "List")],
    }


def _place(outbox: str, vendor: str) -> tuple[str, str]:
    parts = urlsplit(outbox)
    return parts.netloc, f"{parts.path.strip('/')}/{vendor}".lstrip("/")


@app.command()
def show(
    outbox: Annotated[str, typer.Argument(help="s3://bucket/prefix of the outbox.")],
    vendor: Annotated[str, typer.Argument(help="The vendor's code.")],
    seaweedfs: Annotated[bool, typer.Option("--seaweedfs", help="An identity for SeaweedFS instead.")] = False,  # noqa: FBT002
) -> None:
    """Print what to give to the store's administrator; keys are filled in there."""
    told = seaweedfs_identity(outbox, vendor, "…", "…") if seaweedfs else iam_policy(outbox, vendor)
    typer.echo(json.dumps(told, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    app()
