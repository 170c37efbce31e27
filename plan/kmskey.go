package plan

import (
	"regexp"
	"strings"
	"time"

	"fargo"
	"fargo/aws/kms"
	"fargo/record"
)

// kmsKeyID is the form of a key's id; that of a multi-region key begins with "mrk-".
var kmsKeyID = regexp.MustCompile(`^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$`)

// KMSKeyNotFound is KMS's answer when a caller in scope names a key by what no key is
// named by.
func KMSKeyNotFound(scope fargo.Scope, keyID string) error {
	a, isARN := fargo.ParseARN(keyID)
	switch {
	case isARN && a.Service == "kms" && a.Region != scope.Region:
		return kms.NotFoundException("Invalid arn %s", a.Region)
	case isARN && a.Service == "kms" && strings.HasPrefix(a.Resource, "alias/"):
		return kms.NotFoundException("Alias %s is not found.", keyID)
	case isARN && a.Service == "kms" && strings.HasPrefix(a.Resource, "key/"):
		return kms.NotFoundException("Key '%s' does not exist", keyID)
	case strings.HasPrefix(keyID, "arn:"):
		return kms.InvalidArnException("Invalid arn %s", keyID)
	case strings.HasPrefix(keyID, "alias/"):
		return kms.NotFoundException("Alias %s is not found.", scope.ARN("kms", keyID))
	case kmsKeyID.MatchString(keyID):
		return kms.NotFoundException("Key '%s' does not exist", scope.ARN("kms", "key/"+keyID))
	}
	return kms.NotFoundException("Invalid keyId '%s'", keyID)
}

// KMSKeyUsable refuses cryptographic operations with a key that is disabled or on its
// way out.
func KMSKeyUsable(k *record.KMSKey) error {
	if k.Metadata.KeyState == kms.KeyStateDisabled {
		return kms.DisabledException("%s is disabled.", k.ARN())
	}
	return KMSKeyNotDeleted(k)
}

// KMSKeyNotDeleted refuses operations that change a key which is on its way out.
func KMSKeyNotDeleted(k *record.KMSKey) error {
	if k.Metadata.KeyState == kms.KeyStatePendingDeletion {
		return kms.KMSInvalidStateException("%s is pending deletion.", k.ARN())
	}
	return nil
}

// KMSKeyDue says what is to be done to a key by itself: delete it, or give it new
// material. next is when to ask again; zero when nothing comes.
func KMSKeyDue(k *record.KMSKey, now time.Time) (remove, rotate bool, next time.Time) {
	if k.Metadata.KeyState == kms.KeyStatePendingDeletion {
		due := *k.Metadata.DeletionDate
		return !now.Before(due), false, due
	}
	if k.RotationDays == 0 || k.Metadata.KeyState != kms.KeyStateEnabled {
		return false, false, time.Time{}
	}
	return false, !now.Before(k.NextRotation), k.NextRotation
}

// KMSRotationAfter is when a key that has just got new material, or whose rotation
// has just been enabled, gets the next.
func KMSRotationAfter(now time.Time, days int32) time.Time { return now.AddDate(0, 0, int(days)) }
