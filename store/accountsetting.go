package store

import (
	"strings"

	"fargo"
	"fargo/aws/ecs"
	"fargo/record"
)

// AccountSettings are the ECS settings of principals, by scope, name and
// principal.
var AccountSettings = NewTable("accountsetting", (*record.AccountSetting).Key)

// FindAccountSetting finds what holds for a principal: what it has chosen itself, else
// what root has for all.
func FindAccountSetting(r Reader, scope fargo.Scope, name ecs.SettingName, principal string) (*record.AccountSetting, bool) {
	for _, arn := range []string{principal, root(scope)} {
		key := (&record.AccountSetting{Scope: scope, Setting: ecs.Setting{Name: name, PrincipalArn: &arn}}).Key()
		if s, ok := AccountSettings.Get(r, key); ok {
			return s, true
		}
	}
	return nil, false
}

// SettingsOwner is who a caller's settings belong to. Sessions have those of their role,
// federated users those of root.
func SettingsOwner(r Reader, scope fargo.Scope, caller string) string {
	a, ok := fargo.ParseARN(caller)
	if !ok || a.Service != "sts" {
		return caller
	}
	if session, ok := strings.CutPrefix(a.Resource, "assumed-role/"); ok {
		name, _, _ := strings.Cut(session, "/")
		if role, ok := Roles.Get(r, fargo.Scope{Account: scope.Account}.Key(name)); ok {
			return *role.Role.Arn
		}
	}
	return root(scope)
}

// BlockingLogs reports whether the containers of a caller's tasks are to wait for their
// output when they do not say.
// Source: ECS API, LogConfiguration, mode: since June 2025 they are not.
func BlockingLogs(r Reader, scope fargo.Scope, caller string) bool {
	s, ok := FindAccountSetting(r, scope, ecs.SettingNameDefaultLogDriverMode, SettingsOwner(r, scope, caller))
	return ok && *s.Setting.Value == "blocking"
}

func root(scope fargo.Scope) string { return "arn:aws:iam::" + scope.Account + ":root" }
