package store

import (
	"iter"
	"strings"

	"fargo"
	"fargo/record"
)

// Parameters are the parameters of Parameter Store, without their values. Those below
// a path lie together.
var Parameters = NewTable("parameter", (*record.Parameter).Key)

// ParameterVersions are the versions of parameters, with their values.
var ParameterVersions = NewTable("parameterversion", (*record.ParameterVersion).Key).Sealed()

// FindParameter finds a parameter in a scope by its name or its ARN, both without the
// ":" of a version or label, which [fargo/plan.ParameterSelector] takes off.
func FindParameter(r Reader, scope fargo.Scope, name string) (*record.Parameter, bool) {
	if strings.HasPrefix(name, "arn:") {
		a, ok := fargo.ParseARN(name)
		rest, isParameter := strings.CutPrefix(a.Resource, "parameter/")
		if !ok || !isParameter || a.Service != "ssm" || a.Scope() != scope {
			return nil, false
		}
		name = rest
	}
	return Parameters.Get(r, record.ParameterKey(scope, name))
}

// ParameterVersion gives a version that a parameter has.
func ParameterVersion(r Reader, p *record.Parameter, version int64) (*record.ParameterVersion, bool) {
	return ParameterVersions.Get(r, record.ParameterVersionKey(p.Scope, p.Name, version))
}

// VersionsOfParameter are the versions that are kept, the oldest first.
func VersionsOfParameter(r Reader, p *record.Parameter) iter.Seq[*record.ParameterVersion] {
	return ParameterVersions.Prefix(r, p.Key()+":")
}

// DeleteParameter deletes a parameter and its versions.
func DeleteParameter(tx *Tx, p *record.Parameter) {
	for v := range VersionsOfParameter(tx, p) {
		ParameterVersions.Delete(tx, v.Key())
	}
	Parameters.Delete(tx, p.Key())
}
