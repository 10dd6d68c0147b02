"""All attacks, by theme."""

import dataclasses

import attacks_endings
import attacks_handshake
import attacks_hellos
import attacks_records
import attacks_slow
import attacks_storms

THEMES = {"records": attacks_records, "hellos": attacks_hellos, "handshake": attacks_handshake, "storms": attacks_storms,
          "endings": attacks_endings, "slow": attacks_slow}
EVERYTHING = [dataclasses.replace(attack, group=name) for name, theme in THEMES.items() for attack in theme.ATTACKS]
