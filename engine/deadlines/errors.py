"""What can be wrong with periods, instants, rules, calendars and deadlines."""

from engine.errors import ConflictError, NotFoundError, RefusedError


class IsoTextError(RefusedError):
    """The text is not the ISO 8601 form that is needed here."""


class InvalidPeriodError(IsoTextError):
    """The text is no ISO 8601 duration."""


class NegativePeriodError(InvalidPeriodError):
    """The duration is negative where only a length makes sense."""


class InvalidCycleError(IsoTextError):
    """The text is no repeating interval."""


class InvalidInstantError(IsoTextError):
    """The text is no date and no date-time."""


class OutOfCalendarError(RefusedError):
    """The result lies outside the years 1 to 9999."""


class RuleFileError(RefusedError):
    """The file of legal rules is wrong."""


class UnknownRuleError(NotFoundError):
    """There is no deadline rule with this id."""


class RuleNotInForceError(RefusedError):
    """The rule was not in force on this day."""


class NoFigureError(RefusedError):
    """The rule gives no figure, so a period has to be named."""


class PeriodNotAllowedError(RefusedError):
    """The rule fixes its own period."""


class NoFictionError(RefusedError):
    """The law presumes no notification for this way of sending."""


class UnsuitablePeriodError(RefusedError):
    """The period does not suit the rule."""


class UnsuitableStartError(RefusedError):
    """The start does not suit the rule."""


class BasisUnsuitableError(RefusedError):
    """The rule does not run from this basis."""


class UnknownSettingError(RefusedError):
    """This is no setting for an unresolved question of law."""


class UnknownRegionError(RefusedError):
    """There is no holiday calendar for this region."""


class NotExtendableError(RefusedError):
    """The rule does not let this deadline be extended."""


class ExtensionSourceError(RefusedError):
    """The extension does not come from whom the rule says."""


class ExtensionTooLongError(RefusedError):
    """The extension goes beyond what the rule allows."""


class ReasonMissingError(RefusedError):
    """A change of a deadline needs a reason."""


class UnarmedDeadlineError(ConflictError):
    """The deadline has no end yet, so there is nothing to extend or to fire."""


class SettledDeadlineError(ConflictError):
    """The deadline is settled, so it cannot change any more."""
