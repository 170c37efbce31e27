package store

import "fargo"

// AccountSettings are the ECS settings of principals, by scope, name and
// principal.
var AccountSettings = NewTable("accountsetting", (*fargo.AccountSetting).Key)
