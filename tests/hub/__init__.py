"""A stand-in for the Hugging Face Hub on loopback, for the real `huggingface_hub` and `datasets`, unmodified.

    def test_it(hub):                          # the fixture in tests/conftest.py
        HfApi().create_repo("tester/traces")   # in this process, and in those it starts: all is set
        hub.fail("commit", Cut("after"))       # see `faults`
        assert "commit" not in hub.stages()    # what was asked, in order; `hub.asked` has all of it

One idea a file: `repository` (what is kept, with git's ids), `commits`, `listings`, `changes`, `files` (the endpoints),
`card_rules`,
`calls` (one request on its way), `faults`, `refusals`, `server`. The endpoints, by stage, which is how faults and the
log name them:

| stage | endpoint |
|---|---|
| whoami | `GET /api/whoami-v2` |
| create, delete, settings | `POST /api/repos/create`, `DELETE /api/repos/delete`, `PUT .../settings` |
| validate | `POST /api/validate-yaml` |
| preupload, commit | `POST .../preupload/REV`, `POST .../commit/REV` (ndjson; `create_pr=1`) |
| xet | `GET .../xet-write-token/REV`: 404, since there is no Xet |
| batch, verify, complete | `POST REPO.git/info/lfs/objects/batch`, `.../verify`, `POST /api/complete_multipart/...` |
| upload, download | `PUT` and `GET` at the storage, a second port |
| info, tree, paths | `GET ...[/revision/REV]`, `GET .../tree/REV[/PATH]`, `POST .../paths-info/REV` |
| refs, history | `GET .../refs`, `GET .../commits/REV` |
| tag, untag, branch, unbranch | `POST` and `DELETE .../tag/...`, `.../branch/...` |
| resolve, cached | `HEAD` and `GET REPO/resolve/REV/PATH`, and where it leads for a small file |
| access, access_to_write | `GET .../auth-check[/write]` |
| discuss, discussions, discussion | `POST` and `GET .../discussions[/NUM]` |
| unknown | all else: 404 |

Where the knowledge comes from: what the client sends, reads and checks is from the source of huggingface_hub 2.4.0 and
datasets 5.2.0 (`hf_api`, `_commit_api`, `lfs`, `file_download`, `utils/_http`), which is also what the tests run. The
words of errors and the order of what is checked first are from that source's comments and from memory of the real Hub;
nothing here was compared with it over the network.

What is not like the real Hub:

* No Xet. huggingface_hub 2.4 uploads every large file by Xet where hf-xet is installed, whatever the server's answers
  say (only an open binary file, not a path nor bytes, still goes by LFS): it asks for `xet-write-token`, and ends where
  there is none. `HF_HUB_DISABLE_XET=1` makes it speak LFS; `Hub.environment` and the fixture set it. For downloads it
  uses Xet only if an answer has `X-Xet-Hash` or a listing `xetHash`, and none has here.
* Large is what `.gitattributes` says, what has a NUL byte in its first 512, and what is over 10 MiB. `.gitignore` is
  not looked at; a copy within a commit works as the client does it, one from another repository does not.
* The metadata of cards: the rules that are documented (`card_rules`); the real Hub may have more.
* Over http the client's rule that any 401 means a missing repository does not hold (it wants https), so the code
  `RepoNotFound` goes with it. Rate limits are only what a fault orders, without the headers `RateLimit`.
* An empty commit is made as asked; the client itself asks for none. Pull requests cannot be merged, nor discussions
  answered. Names without a namespace, collections, Spaces' settings, search, the viewer and its parquet branch: none.
"""

from __future__ import annotations

from tests.hub.calls import Asked, User
from tests.hub.faults import ALWAYS, Cut, Fault, Meanwhile, Order, Refuse, Slow
from tests.hub.server import OWNER, READER, STRANGER, Hub, serving

__all__ = [
    "ALWAYS",
    "OWNER",
    "READER",
    "STRANGER",
    "Asked",
    "Cut",
    "Fault",
    "Hub",
    "Meanwhile",
    "Order",
    "Refuse",
    "Slow",
    "User",
    "serving",
]
