package main

import (
	"context"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/api"
	apiecs "fargo/api/ecs"
	"fargo/aws/ecs"
)

// functionTasks runs and stops the tasks of functions as the account itself: that there is
// a mapping for a function is all the permission there is.
type functionTasks struct{ server *apiecs.Server }

func (f *functionTasks) run(ctx context.Context, scope fargo.Scope, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	return f.server.RunTask(asAccount(ctx, scope, "RunTask"), in)
}

func (f *functionTasks) stop(ctx context.Context, scope fargo.Scope, in *ecs.StopTaskInput) error {
	_, err := f.server.StopTask(asAccount(ctx, scope, "StopTask"), in)
	return err
}

// asAccount is a call of ECS by an account.
func asAccount(ctx context.Context, scope fargo.Scope, operation string) context.Context {
	return api.WithCall(ctx, &api.Call{
		RequestID: uuid.NewString(), Service: ecs.API.Name, Operation: operation, Account: scope.Account, Region: scope.Region,
		Caller: api.Caller{PrincipalARN: fargo.Scope{Account: scope.Account}.ARN("iam", "root"), CredentialsIssued: time.Now()},
	})
}
