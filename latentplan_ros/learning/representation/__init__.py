"""What objectives of representation learning are built from, and what trains an encoder by one."""
