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
type functionTasks struct {
	server *apiecs.Server
	calls  api.Calls
}

func (f *functionTasks) run(ctx context.Context, scope fargo.Scope, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	return api.CallAs(ctx, f.calls, &ecs.API, byAccount(scope, "RunTask"), in, f.server.RunTask)
}

func (f *functionTasks) stop(ctx context.Context, scope fargo.Scope, in *ecs.StopTaskInput) error {
	_, err := api.CallAs(ctx, f.calls, &ecs.API, byAccount(scope, "StopTask"), in, f.server.StopTask)
	return err
}

// byAccount is a call by an account itself.
func byAccount(scope fargo.Scope, operation string) *api.Call {
	return &api.Call{
		RequestID: uuid.NewString(), Operation: operation, Account: scope.Account, Region: scope.Region,
		Caller: api.Caller{PrincipalARN: fargo.Scope{Account: scope.Account}.ARN("iam", "root"), PrincipalID: scope.Account, CredentialsIssued: time.Now()},
	}
}
