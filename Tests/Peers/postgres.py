"""A PostgreSQL server of the test's own, in a folder of its own, on a Unix socket there and on a port if one is given."""

import glob
import os
import shutil
import signal

from support import LIMIT, Process


class Postgres:
    def __init__(self, test, folder, *settings):
        """`settings` are as on the command line, "name=value". Users are trusted."""
        self.folder = str(folder)
        self.programs = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), "")
        if not self.programs:
            raise AssertionError("PostgreSQL is missing: apt-get install postgresql")
        # It refuses to be root.
        self.under = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
        self.data = os.path.join(self.folder, "data")
        self.own(self.folder)
        made = Process(test, *self.under, os.path.join(self.programs, "initdb"), "-D", self.data, "-A", "trust", "-U", "postgres",
                       "-E", "UTF8", "--no-sync")
        if made.exit_code(2 * LIMIT) != 0:
            raise AssertionError(made.stderr.text)
        options = [word for setting in settings for word in ("-c", setting)]
        self.server = Process(test, *self.under, os.path.join(self.programs, "postgres"), "-D", self.data, "-k", self.folder,
                              "-c", "fsync=off", "-c", "max_connections=20", *options)
        self.server.stderr.wait_for("ready to accept connections")
        test.addCleanup(self.stop)

    @staticmethod
    def own(path):
        """Gives a file to the user that the server is."""
        if os.getuid() == 0:
            shutil.chown(path, "postgres", "postgres")

    def stop(self):
        if self.server.stays_for(0):
            os.kill(self.server.pid, signal.SIGINT)
        self.server.exit_code()
