// Package efs implements the operations of Amazon EFS that tasks with file systems need:
// file systems, access points, mount targets and their policies. It knows their rules and
// texts. It refuses to know where files are kept, and how they come into a container.
package efs

import (
	"context"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws/efs"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// Server answers the EFS operations, from and into the store.
type Server struct{ db *store.DB }

// New makes a server on db.
func New(db *store.DB) *Server { return &Server{db: db} }

// service is the name of EFS in ARNs.
const service = "elasticfilesystem"

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope) })
}

// longestPage is the most items that a page has, whatever a call asks for.
// Source: EFS API, DescribeFileSystems, MaxItems.
const longestPage = 100

var pages = page.Rules{Default: longestPage, BadToken: func(string) error { return invalid("Invalid Marker") }}

// ask asks for a page with the bounds of EFS.
func ask(in any, token *string, most *int32) page.Request {
	if most != nil {
		most = new(min(*most, longestPage))
	}
	return pages.Ask(in, token, most)
}

// failed completes an error: those of EFS repeat their code.
func failed(e *protocol.Error) error { return e.WithField("ErrorCode", e.Code) }

// invalid is EFS's answer to a parameter it cannot take.
func invalid(format string, args ...any) error { return failed(efs.BadRequest(format, args...)) }

// idOf is the id in what names a resource: an id, or an ARN of the caller's.
func idOf(scope fargo.Scope, name string) string {
	if a, ok := fargo.ParseARN(name); ok && a.Scope() == scope {
		return a.Name()
	}
	return name
}

// arnOf is the ARN of a file system or an access point.
func arnOf(scope fargo.Scope, id string) string {
	if strings.HasPrefix(id, "fsap-") {
		return scope.ARN(service, "access-point/"+id)
	}
	return scope.ARN(service, "file-system/"+id)
}

// findFileSystem finds a file system of the caller's.
func findFileSystem(r store.Reader, scope fargo.Scope, name string) (*record.EFSFileSystem, error) {
	id := idOf(scope, name)
	f, ok := store.EFSFileSystems.Get(r, scope.Key(id))
	if !ok {
		return nil, failed(efs.FileSystemNotFound("File system '%s' does not exist.", id))
	}
	return f, nil
}

// findAccessPoint finds an access point of the caller's.
func findAccessPoint(r store.Reader, scope fargo.Scope, name string) (*record.EFSAccessPoint, error) {
	id := idOf(scope, name)
	a, ok := store.EFSAccessPoints.Get(r, scope.Key(id))
	if !ok {
		return nil, failed(efs.AccessPointNotFound("Access Point %s does not exist.", id))
	}
	return a, nil
}

// findMountTarget finds a mount target of the caller's.
func findMountTarget(r store.Reader, scope fargo.Scope, id string) (*record.EFSMountTarget, error) {
	m, ok := store.EFSMountTargets.Get(r, scope.Key(id))
	if !ok {
		return nil, failed(efs.MountTargetNotFound("Mount target '%s' does not exist.", id))
	}
	return m, nil
}

// now is a time as EFS shows it: whole seconds, UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
