"""Who needs access, and what fits: a user or a role (user guide, "When to create an IAM user (instead of a role)").

Each answer names the pages that lead to working credentials, in their order."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A page to go to, by its URL name, with what it is told."""

    text: str
    url_name: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`kind` is what fits, `why` the reason for it. The steps follow each other, or one of them is taken (`either`)."""

    title: str
    kind: str
    why: str
    steps: tuple[Step, ...]
    either: bool = False

    @property
    def is_numbered(self) -> bool:
        return len(self.steps) > 1 and not self.either


USER, GROUP, ROLE = "IAM user", "IAM users in a group", "Role"
_WHO, _TRUST = "access:create-role-who", "access:create-role-trust"

SCENARIOS = (
    Scenario(
        "You, or one other person",
        USER,
        "Even the only person of an account works as an IAM user: what a user may do can be limited and taken back, "
        "and the root user's password can rest.",
        (
            Step("Create an administrator", "identities:create-user", "administrator=1"),
            Step("Create a user with fewer permissions", "identities:create-user", "console=1"),
        ),
        either=True,
    ),
    Scenario(
        "Several people who sign in nowhere else",
        GROUP,
        "Everybody gets a user and a password of their own, and nothing is shared. What they may do hangs on the "
        "group: whoever joins gets it, whoever leaves loses it.",
        (
            Step("Create the group with its policies", "identities:create-group"),
            Step("Create a user for each person", "identities:create-user", "console=1"),
        ),
    ),
    Scenario(
        "An application on a machine",
        ROLE,
        "The application finds credentials where it runs, and they change by themselves. No key is stored with it, "
        "so none can be copied from there.",
        (
            Step("Create the role of the application", _TRUST, "who=machine"),
            Step("Register the machine", "identities:register-machine"),
        ),
    ),
    Scenario(
        "A mobile app, or a program elsewhere",
        ROLE,
        "People sign in with Google or another OpenID Connect provider, a build system or a cluster brings a token of "
        "its own, and the token becomes credentials. Nothing secret is handed out with the app.",
        (
            Step(
                "Add the provider (Google and Amazon Cognito are known)", "federation:create-open-id-connect-provider"
            ),
            Step("Create the role of the app or program", _WHO, "who=web"),
        ),
    ),
    Scenario(
        "People of a company, by SAML",
        ROLE,
        "They sign in where they always do, such as Entra ID, Okta, AD FS or Keycloak, and the company's directory "
        "says who gets which role. Whoever leaves the company comes in no more.",
        (
            Step("Add the company's provider", "federation:create-saml-provider"),
            Step("Create the role of the company's people", _WHO, "who=saml"),
        ),
    ),
    Scenario(
        "People of a company, by its own sign-in program",
        ROLE,
        "Where the company speaks neither SAML nor OpenID Connect, a program of its own (an identity broker) takes on "
        "the role for them and sends their browsers here, signed in.",
        (
            Step("Create a user for the program, with an access key", "identities:create-user"),
            Step("Create the role that the program takes on", _WHO, "who=broker"),
        ),
    ),
    Scenario(
        "Another account",
        ROLE,
        "Its people and programs keep the credentials that they have there and take on the role here, for a while. "
        "Neither account learns a password of the other.",
        (Step("Create the role for the other account", _WHO, "who=account"),),
    ),
    Scenario(
        "A user who needs more for a while",
        ROLE,
        "Administrators and auditors work with few permissions and take on the role for the task at hand. Every switch "
        "is recorded.",
        (Step("Create the role for the task", _WHO, "who=user"),),
    ),
)
