"""What platform plugins are written with: addresses and work keys, pages of works and makers, re-hosts, defaults."""
