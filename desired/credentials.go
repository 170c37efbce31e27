package desired

import (
	"strconv"
	"strings"
	"time"

	"fargo/secret"
)

// RoleCredentials are temporary credentials of a role, as containers read them.
// Source: SDKs and tools reference guide, "Container credential provider".
type RoleCredentials struct {
	RoleARN         string         `json:"RoleArn"`
	AccessKeyID     string         `json:"AccessKeyId"`
	SecretAccessKey secret.Exposed `json:"SecretAccessKey"`
	Token           secret.Exposed `json:"Token"`
	Expiration      time.Time      `json:"Expiration"` // in UTC, of whole seconds
}

// How long credentials of a task's role are good, as on Fargate, and for how long a node
// gives out the same ones: then a third of their life or more is left.
const (
	CredentialsLife   = 6 * time.Hour
	CredentialsPeriod = 4 * time.Hour
)

// TaskCredentialsOf names the credentials of a task's role in a period. A node asks for
// those of the next period when that begins.
func TaskCredentialsOf(taskARN string, period int64) SecretID {
	return SecretID(TaskCredentials + "/" + strconv.FormatInt(period, 10) + "/" + taskARN)
}

// ParseTaskCredentials takes apart what [TaskCredentials] are of.
func ParseTaskCredentials(of string) (taskARN string, period int64, ok bool) {
	number, taskARN, _ := strings.Cut(of, "/")
	period, err := strconv.ParseInt(number, 10, 64)
	return taskARN, period, err == nil && period >= 0
}
