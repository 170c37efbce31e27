package iam

import "fargo/api"

// NotActedOn lists what is shown and says nothing.
var NotActedOn = []api.Gap{
	{Operation: "GetRole", Field: "Role.RoleLastUsed", Why: "it is always empty: when a role was last used is not kept"},
	{Operation: "GetAccountAuthorizationDetails", Field: "RoleDetailList.RoleLastUsed", Why: "it is always empty: when a role was last used is not kept"},
}
