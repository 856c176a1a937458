"""Indexes for many open contracts: what timers look for every second, and lists in their order.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LISTED = ("contracts", "documents", "jobs")


def upgrade() -> None:
    """Replace each index by one that begins with the same column and also finds the rest."""
    op.create_index("ix_contracts_state_expires_at", "contracts", ["state", "expires_at"])
    op.create_index("ix_contracts_state_next_reminder_at", "contracts", ["state", "next_reminder_at"])
    op.create_index("ix_contracts_tenant_id_state_id", "contracts", ["tenant_id", "state", "id"])
    op.drop_index("ix_contracts_state", table_name="contracts")
    op.drop_index("ix_contracts_next_reminder_at", table_name="contracts")
    op.create_index("ix_envelope_keys_tenant_id_party_id", "envelope_keys", ["tenant_id", "party_id"])
    op.drop_index("ix_envelope_keys_tenant_id", table_name="envelope_keys")
    for table in LISTED:
        op.create_index(f"ix_{table}_tenant_id_id", table, ["tenant_id", "id"])
        op.drop_index(f"ix_{table}_tenant_id", table_name=table)
