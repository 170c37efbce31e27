package plan

import (
	"slices"

	"fargo"
	"fargo/aws"
	"fargo/record"
)

// TaskRole is the ARN of the role that a task's containers are given credentials of:
// that of RunTask's overrides, or else its definition's. Empty for none.
func TaskRole(t *record.Task, d *record.TaskDefinition) string {
	if o := t.Intent.Overrides; o != nil && aws.Value(o.TaskRoleArn) != "" {
		return *o.TaskRoleArn
	}
	return aws.Value(d.Definition.TaskRoleArn)
}

// ExecutionRole is the ARN of the role with whose permissions a task is prepared. Empty for
// none.
func ExecutionRole(t *record.Task, d *record.TaskDefinition) string {
	if o := t.Intent.Overrides; o != nil && aws.Value(o.ExecutionRoleArn) != "" {
		return *o.ExecutionRoleArn
	}
	return aws.Value(d.Definition.ExecutionRoleArn)
}

// TaskRoles are the ARNs of the roles that ECS assumes for a task.
func TaskRoles(t *record.Task, d *record.TaskDefinition) []string {
	return slices.DeleteFunc([]string{TaskRole(t, d), ExecutionRole(t, d)}, func(arn string) bool { return arn == "" })
}

// TaskSession is a session of one of a task's roles in a period, without credentials. Its name
// is the task's id.
// Source: ECS developer guide, "Amazon ECS task IAM role".
func TaskSession(t *record.Task, role *record.Role, period int64) *record.Session {
	return &record.Session{
		Account:      role.Account,
		PrincipalARN: fargo.Scope{Account: role.Account}.ARN("sts", "assumed-role/"+*role.Role.RoleName+"/"+t.ID),
		PrincipalID:  *role.Role.RoleId + ":" + t.ID,
		Role:         *role.Role.Arn,
		Task:         t.ARN(), Period: period,
	}
}
