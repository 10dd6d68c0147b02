"""All attacks, by theme."""

import dataclasses

import attacks_endings
import attacks_handshake
import attacks_hellos
import attacks_records
import attacks_slow
import attacks_storms

EVERYTHING = [dataclasses.replace(attack, group=group)
              for group, module in (("records", attacks_records), ("hellos", attacks_hellos), ("handshake", attacks_handshake), ("storms", attacks_storms),
                                   ("endings", attacks_endings), ("slow", attacks_slow))
              for attack in module.ATTACKS]
