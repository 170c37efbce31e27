package store

import "fargo/record"

// AccountSettings are the ECS settings of principals, by scope, name and
// principal.
var AccountSettings = NewTable("accountsetting", (*record.AccountSetting).Key)
