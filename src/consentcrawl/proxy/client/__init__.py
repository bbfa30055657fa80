"""The client's side: connections, request heads and targets, tunnels, replies and refusals."""
