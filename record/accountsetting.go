package record

import (
	"fargo"
	"fargo/aws/ecs"
)

// AccountSetting is an ECS setting that someone has chosen: a user or role for
// itself, or the root user for all who have not.
type AccountSetting struct {
	Scope   fargo.Scope
	Setting ecs.Setting
}

// Key is the setting's place in the store.
func (s *AccountSetting) Key() string {
	return s.Scope.Key(string(s.Setting.Name), *s.Setting.PrincipalArn)
}
