package ssm

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/ssm"
	"fargo/kms"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

const (
	// defaultKey is the key of a SecureString for which none is named.
	defaultKey = "alias/aws/ssm"
	// The bytes that the value of a parameter has at most.
	// Source: Systems Manager API, PutParameter.
	mostStandard, mostAdvanced = 4096, 8192
)

// PutParameter makes a parameter, or a new version of one.
func (s *Server) PutParameter(ctx context.Context, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	call := api.CallFrom(ctx)
	name := strings.TrimSpace(*in.Name)
	if err := checkPut(call.Scope(), name, in); err != nil {
		return nil, err
	}
	out := &ssm.PutParameterOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		p, before, err := putInto(tx, scope, name, in)
		if err != nil {
			return err
		}
		v, err := nextVersion(p, before, in)
		if err != nil {
			return err
		}
		v.ModifiedBy = call.PrincipalARN
		if err := setValue(tx, v, *in.Value); err != nil {
			return err
		}
		if p.Expires, err = expiry(v.Policies); err != nil {
			return err
		}
		store.ParameterVersions.Put(tx, v)
		store.Parameters.Put(tx, p)
		out.Version, out.Tier = &v.Version, v.Tier
		return nil
	})
}

// checkPut refuses what no state of the parameter makes good.
func checkPut(scope fargo.Scope, name string, in *ssm.PutParameterInput) error {
	if err := checkName(scope, name); err != nil {
		return err
	}
	switch {
	case len(in.Tags) > 0 && aws.Value(in.Overwrite):
		return invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. " +
			"To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case *in.Value == "":
		return invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case strings.Contains(*in.Value, "{{") && strings.Contains(*in.Value, "}}"):
		return invalid(`Parameter value can't nest another parameter. Do not use "{{}}" in the value.`)
	case in.KeyId != nil && in.Type != "" && in.Type != ssm.ParameterTypeSecureString:
		return invalid("KeyId is required for SecureString type parameter only.")
	}
	if err := checkDataType(in); err != nil {
		return err
	}
	return tagRules.Check(in.Tags)
}

func checkDataType(in *ssm.PutParameterInput) error {
	switch t := aws.ValueOr(in.DataType, "text"); t {
	case "text":
	case "aws:ec2:image":
		if !imageID.MatchString(*in.Value) {
			return invalid("The value of a parameter with the data type aws:ec2:image must be the ID of an image.")
		}
	case "aws:ssm:integration":
		return notImplemented("parameters with the data type " + t)
	default:
		return invalid("The following data type is not supported: %s (Data type names are all lowercase.)", t)
	}
	return nil
}

var imageID = regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)

// putInto gives a copy of the parameter that a version is put into, with room for it,
// and its newest version; nil when the parameter is new.
func putInto(tx *store.Tx, scope fargo.Scope, name string, in *ssm.PutParameterInput) (*record.Parameter, *record.ParameterVersion, error) {
	found, ok := store.FindParameter(tx, scope, name)
	if !ok {
		return &record.Parameter{Scope: scope, Name: name, Version: 1, Oldest: 1, Tags: in.Tags}, nil, nil
	}
	if !aws.Value(in.Overwrite) {
		return nil, nil, ssm.ParameterAlreadyExists("The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	}
	before, _ := store.ParameterVersion(tx, found, found.Version)
	drop, err := plan.DropOldestParameterVersion(found)
	if err != nil {
		return nil, nil, err
	}
	p := *found
	p.Version++
	if drop != 0 {
		store.ParameterVersions.Delete(tx, record.ParameterVersionKey(scope, p.Name, drop))
		p.Oldest = drop + 1
	}
	return &p, before, nil
}

// nextVersion is the version that is put, without its value. What is not said is as
// before.
func nextVersion(p *record.Parameter, before *record.ParameterVersion, in *ssm.PutParameterInput) (*record.ParameterVersion, error) {
	v := &record.ParameterVersion{DataType: "text"}
	if before != nil {
		v = new(*before)
	}
	v.Scope, v.Name, v.Version, v.Modified = p.Scope, p.Name, p.Version, now()
	v.Type = or(in.Type, v.Type)
	v.DataType = aws.ValueOr(in.DataType, v.DataType)
	if in.Description != nil {
		v.Description = in.Description
	}
	if in.AllowedPattern != nil {
		v.AllowedPattern = in.AllowedPattern
	}
	if v.Type == "" {
		return nil, invalid("A parameter type is required when you create a parameter.")
	}
	if in.KeyId != nil && v.Type != ssm.ParameterTypeSecureString {
		return nil, invalid("KeyId is required for SecureString type parameter only.")
	}
	v.KeyID = keyOf(v, in.KeyId)
	var err error
	if v.Policies, err = policies(in.Policies, v.Policies); err != nil {
		return nil, err
	}
	if v.Tier, err = tier(v, in); err != nil {
		return nil, err
	}
	return v, checkPattern(v.AllowedPattern, *in.Value)
}

// or is a, or b if a is empty.
func or[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}

// keyOf is the key of a version, by the name that was given for it.
func keyOf(v *record.ParameterVersion, given *string) string {
	switch {
	case v.Type != ssm.ParameterTypeSecureString:
		return ""
	case given != nil:
		return *given
	}
	return or(v.KeyID, defaultKey)
}

// tier is the tier of a version, which asks for one or keeps its own. One that is
// advanced stays so.
func tier(v *record.ParameterVersion, in *ssm.PutParameterInput) (ssm.ParameterTier, error) {
	size := len(*in.Value)
	asked := or(in.Tier, or(v.Tier, ssm.ParameterTierStandard))
	if asked == ssm.ParameterTierIntelligentTiering {
		asked = or(v.Tier, ssm.ParameterTierStandard)
		if size > mostStandard || len(v.Policies) > 0 {
			asked = ssm.ParameterTierAdvanced
		}
	}
	switch {
	case v.Tier == ssm.ParameterTierAdvanced && asked == ssm.ParameterTierStandard:
		return "", invalid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. " +
			"If necessary, you can delete the advanced parameter and recreate it as a standard parameter. Be aware that standard parameters have a value limit of 4096 characters.")
	case asked == ssm.ParameterTierStandard && size > mostStandard:
		return "", invalid("Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. " +
			"For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html")
	case size > mostAdvanced:
		return "", invalid("Advanced tier parameters support a maximum parameter value of %d characters.", mostAdvanced)
	case asked == ssm.ParameterTierStandard && len(v.Policies) > 0:
		return "", invalid("Parameter policies need the advanced-parameter tier.")
	}
	return asked, nil
}

// checkPattern refuses a value that its pattern does not allow.
func checkPattern(pattern *string, value string) error {
	if aws.Value(pattern) == "" {
		return nil
	}
	p, err := regexp.Compile(*pattern)
	if err != nil {
		return ssm.InvalidAllowedPatternException("The allowed pattern is not a regular expression that Fargo knows: %s", *pattern)
	}
	if !p.MatchString(value) {
		return ssm.ParameterPatternMismatchException("Parameter value, cannot be validated against allowedPattern: %s", *pattern)
	}
	return nil
}

// setValue gives a version its value, encrypted if it is to be.
func setValue(tx *store.Tx, v *record.ParameterVersion, value string) error {
	v.Value = value
	if v.Type != ssm.ParameterTypeSecureString {
		return nil
	}
	k, err := kms.FindOrMake(tx, v.Scope, v.KeyID, v.Modified)
	if err != nil {
		return ofKMS(err)
	}
	return ofKMS(kms.EncryptParameter(tx, k, v, value))
}

// ofKMS is what Parameter Store makes of an error of KMS.
func ofKMS(err error) error {
	if e := new(protocol.Error); errors.As(err, &e) {
		return ssm.InvalidKeyId("%s", e.Message)
	}
	return err
}
