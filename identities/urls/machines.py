from django.urls import URLPattern, path

from identities.views import instance_profiles, machine_changes, machines

MACHINE = "machine/<str:machine_name>/"
PROFILE = "instance-profile/<str:profile_name>/"

urlpatterns: list[URLPattern] = [
    path("machines/", machines.list_machines, name="list-machines"),
    path("machines/register/", machine_changes.register_machine, name="register-machine"),
    path(MACHINE, machines.get_machine, name="get-machine"),
    path(f"{MACHINE}update/", machine_changes.update_machine, name="update-machine"),
    path(f"{MACHINE}token/", machine_changes.create_machine_join_token, name="create-machine-join-token"),
    path(f"{MACHINE}remove/", machine_changes.remove_machine, name="remove-machine"),
    path("instance-profiles/", instance_profiles.list_instance_profiles, name="list-instance-profiles"),
    path("instance-profiles/create/", instance_profiles.create_instance_profile, name="create-instance-profile"),
    path(PROFILE, instance_profiles.get_instance_profile, name="get-instance-profile"),
    path(f"{PROFILE}delete/", instance_profiles.delete_instance_profile, name="delete-instance-profile"),
    path(f"{PROFILE}tags/set/", instance_profiles.tag_instance_profile, name="tag-instance-profile"),
    path(f"{PROFILE}tags/remove/", instance_profiles.untag_instance_profile, name="untag-instance-profile"),
    path(f"{PROFILE}role/add/", instance_profiles.add_role_to_instance_profile, name="add-role-to-instance-profile"),
    path(
        f"{PROFILE}role/remove/",
        instance_profiles.remove_role_from_instance_profile,
        name="remove-role-from-instance-profile",
    ),
]
