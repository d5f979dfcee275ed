"""A real Apache Kafka and a real schema registry on this machine, without Docker: docker-compose.yml's twin.

```python
with devstack.up(port=0, data=Path("scratch")) as stack:
    print(stack.bootstrap_servers)
```
"""

from devstack.errors import DevstackError
from devstack.registry import registry_alone
from devstack.stack import Stack
from devstack.starting import DEFAULT_DATA, find, running, up

__all__ = ["DEFAULT_DATA", "DevstackError", "Stack", "find", "registry_alone", "running", "up"]
