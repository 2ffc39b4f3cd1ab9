"""The parts of `PresenceMixin`: each overrides what Buildbot's workers do about one subject."""
