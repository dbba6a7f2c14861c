"""Runs, their objects, pages and entries; links with their baselines; watermarks; write intents."""

from apps.sync.models.bulk import BulkAction, BulkKind, BulkState
from apps.sync.models.choices import MatchChoice
from apps.sync.models.conversions import Conversion
from apps.sync.models.entries import EntryAction, RunEntry
from apps.sync.models.erasures import ErasureJob
from apps.sync.models.intents import WriteIntent
from apps.sync.models.links import RecordLink
from apps.sync.models.runs import (
    OPEN_RUN_STATES,
    ObjectStage,
    RunKind,
    RunLane,
    RunObject,
    RunPage,
    RunState,
    SyncRun,
)
from apps.sync.models.schedules import Schedule
from apps.sync.models.watermarks import Watermark

__all__ = [
    "OPEN_RUN_STATES",
    "BulkAction",
    "BulkKind",
    "BulkState",
    "Conversion",
    "EntryAction",
    "ErasureJob",
    "MatchChoice",
    "ObjectStage",
    "RecordLink",
    "RunEntry",
    "RunKind",
    "RunLane",
    "RunObject",
    "RunPage",
    "RunState",
    "Schedule",
    "SyncRun",
    "Watermark",
    "WriteIntent",
]
