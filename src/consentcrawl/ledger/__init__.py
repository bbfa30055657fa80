"""The append-only record of what was known when it was decided: RFC 6962 tree, C2SP checkpoints and tiles.

Each part is imported from where it lies: ``log.Ledger``, ``verify.verify``, ``proof.prove`` and ``proof.check_proof``,
``erasure.erase``, ``merge.merge``, ``export.export``, ``index``, ``segments``.
"""
