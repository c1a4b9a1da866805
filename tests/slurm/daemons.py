"""The programs that make a SLURM cluster, each with its settings, and where Debian has them.

All files are in one folder, and all ports free ones of 127.0.0.1, so that nothing of the machine's own is
touched: SLURM's daemons end whoever a pid file of theirs names.
"""

import os
import shutil
import socket
from pathlib import Path

PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sacct", "srun")
NODES = ("n1", "n2")
# A job that is run again waits so long (cred_expire; 120 by default), and one that is ended has so long
# between SIGTERM and SIGKILL (KillWait; 30).
HOLD_OFF, GRACE = 15, 8
PORTS = ("controller", "accounting", "database", *NODES)
# The freezer, by which SLURM keeps track of processes where control groups are of the first version.
FREEZER = Path("/sys/fs/cgroup/freezer")

SLURM = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire={hold_off}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={controller}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdSpoolDir={folder}/spool-%n
StateSaveLocation={folder}/state
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={accounting}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
# Every five seconds SLURM looks for those that have more memory than they asked for, and kills them.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
JobAcctGatherParams=OverMemoryKill
ProctrackType=proctrack/{tracking}
TaskPlugin=task/none
TaskProlog={folder}/prolog
TaskEpilog={folder}/epilog
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SlurmdTimeout=60
KillWait={grace}
MinJobAge=300
SchedulerParameters=sched_interval=2,bf_interval=5
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=60 DefaultTime=10 DefMemPerCPU=500
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=16000 Gres=gpu:1"
# A GPU that is none.
GPUS = "NodeName={nodes} Name=gpu Count=1 File=/dev/null\n"
CONTROL_GROUPS = "CgroupMountpoint=/sys/fs/cgroup\nCgroupAutomount=no\nCgroupPlugin=cgroup/v1\n"
ACCOUNTING = """\
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={accounting}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=slurm
StoragePass=slurm
"""
MUNGE = (
    "munged --foreground --force --socket={folder}/munge.socket --key-file={folder}/munge.key"
    " --pid-file={folder}/munged.pid --log-file={folder}/munged.log --seed-file={folder}/munged.seed"
)
NEW_DATABASE = (
    "mariadb-install-db --no-defaults --datadir={folder}/database --user=root"
    " --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve"
)
# Small, and nothing of it is to outlive the test.
DATABASE = (
    "mariadbd --no-defaults --user=root --datadir={folder}/database --socket={folder}/database.socket"
    " --pid-file={folder}/database.pid --bind-address=127.0.0.1 --port={database}"
    " --innodb-buffer-pool-size=16M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0"
    " --skip-name-resolve --skip-log-bin --init-file={folder}/users.sql"
)
USERS = """\
CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm';
GRANT ALL ON *.* TO slurm@'127.0.0.1';
"""


def program(name: str) -> str | None:
    """Return the path of a program, also of one for administrators."""
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


def tracking() -> str:
    """How SLURM keeps track of processes: by control groups, as on most clusters, where that is possible."""
    if not (FREEZER / "tasks").exists() or not os.access(FREEZER, os.W_OK):
        return "linuxproc"
    try:
        remove_control_groups()
    except OSError:
        # Another cluster's jobs, of another call of these tests, are in them.
        return "linuxproc"
    return "cgroup"


def remove_control_groups() -> None:
    """Remove what SLURM leaves behind; raises OSError if processes are in it."""
    for node in NODES:
        top = FREEZER / f"slurm_{node}"
        for group in [*sorted(top.rglob("*/"), reverse=True), top] if top.exists() else []:
            group.rmdir()


def settings_of(folder: Path) -> dict[str, str]:
    """What the texts above leave open."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in PORTS}
    ports = {name: str(opened.getsockname()[1]) for name, opened in sockets.items()}
    for opened in sockets.values():
        opened.close()
    host = socket.gethostname()
    nodes = [NODE.format(name=name, host=host, port=ports.pop(name)) for name in NODES]
    return {
        **ports,
        "folder": str(folder),
        "host": host,
        "nodes": "\n".join(nodes),
        "tracking": tracking(),
        "hold_off": str(HOLD_OFF),
        "grace": str(GRACE),
    }
