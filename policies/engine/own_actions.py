"""The actions that this console has beside those of AWS: what AWS's console does without a name, and our own service.

Each is declared by a view or recorded in the audit trail; a test compares the two lists.
"""

PREFIX = "iamconsole"
DISPLAY_NAME = "IAM Console"

# Service, action, access level, resource types, description. A resource type is one of the service's in the catalogue.
OWN_ACTIONS: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    (
        PREFIX,
        "CopyPermissions",
        "Permissions management",
        ("user",),
        "Copy groups and policies of one user to another; takes no Allow, but a Deny keeps it from somebody",
    ),
    (PREFIX, "EndConsoleSession", "Write", ("user",), "End a console session of a user"),
    (PREFIX, "ExplainDecision", "Read", ("user",), "See why another principal was allowed or denied something"),
    (PREFIX, "ListConsoleSessions", "List", ("user",), "See where a user is signed in to the console"),
    (PREFIX, "AcceptFinding", "Write", ("finding",), "Accept a security finding for a while, with a reason"),
    (PREFIX, "ReopenFinding", "Write", ("finding",), "Tell an accepted security finding again before its time"),
    (PREFIX, "CreateService", "Write", ("service",), "Register a service of one's own, with its actions"),
    (PREFIX, "DeleteService", "Write", ("service",), "Remove a registered service from the catalogue"),
    (PREFIX, "GetService", "Read", ("service",), "See a registered service with its actions"),
    (PREFIX, "ListServices", "List", (), "List the registered services"),
    (PREFIX, "UpdateService", "Write", ("service",), "Change a registered service"),
    (PREFIX, "UpdateValidationSettings", "Write", (), "Choose whether unknown services are warned about"),
    (PREFIX, "CreateMachineJoinToken", "Write", ("machine",), "Make a new join token, which ends a machine's key"),
    (PREFIX, "GetMachine", "Read", ("machine",), "See a machine with its profile and when it was last seen"),
    (PREFIX, "ListMachines", "List", (), "List the machines"),
    (PREFIX, "RegisterMachine", "Write", ("machine",), "Register a machine, to be given an instance profile"),
    (PREFIX, "RemoveMachine", "Write", ("machine",), "Remove a machine, and end the credentials that it has"),
    (PREFIX, "UpdateMachine", "Write", ("machine",), "Rename a machine, or give it another instance profile"),
    (PREFIX, "CreateRouteTable", "Write", ("route-table",), "Make a route table for a service behind a proxy"),
    (PREFIX, "DeleteRouteTable", "Write", ("route-table",), "Delete a route table with its token"),
    (PREFIX, "GetRouteTable", "Read", ("route-table",), "See the routes of a service, and try them out"),
    (PREFIX, "ListRouteTables", "List", (), "List the route tables"),
    (PREFIX, "RotateRouteTableToken", "Write", ("route-table",), "Make a new token for the proxy of a route table"),
    (PREFIX, "UpdateRouteTable", "Write", ("route-table",), "Change the routes of a service"),
    ("iam", "LiftUserLockdown", "Write", ("user",), "Let a user who is locked down sign in and sign requests again"),
    ("iam", "LockDownUser", "Write", ("user",), "End all access of a user at once: sessions, keys and the password"),
    (
        "iam",
        "Authorize",
        "Read",
        (),
        "Ask whether a principal may do something, for services that protect themselves with this console",
    ),
)

# Resource types of our own service, with their ARNs.
OWN_RESOURCES: tuple[tuple[str, str], ...] = (
    ("finding", "arn:${Partition}:iamconsole::${Account}:finding/${CheckCode}/${FindingId}"),
    ("machine", "arn:${Partition}:iamconsole::${Account}:machine/${MachineName}"),
    ("route-table", "arn:${Partition}:iamconsole::${Account}:route-table/${RouteTableName}"),
    ("service", "arn:${Partition}:iamconsole::${Account}:service/${Prefix}"),
    ("user", "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}"),
)
