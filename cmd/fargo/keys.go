package main

import (
	"fargo"
	"fargo/api"
)

// adminKeys knows the administrator's key and no other.
type adminKeys accessKey

// Key implements api.Keys.
func (a adminKeys) Key(id string) (api.Key, bool) {
	if id != a.ID {
		return api.Key{}, false
	}
	return api.Key{
		Secret: a.Secret, Account: fargo.DefaultAccount,
		PrincipalARN: "arn:aws:iam::" + fargo.DefaultAccount + ":user/admin", PrincipalID: "AIDA" + a.ID[4:],
	}, true
}
