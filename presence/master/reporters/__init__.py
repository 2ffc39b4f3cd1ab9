"""Notices by mail, or whatever else Buildbot's reporters send: who has to know what of holds, drains and builders."""
