package ecs

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// accountSetting is what there is to choose for one setting. The first value is
// what holds until someone chooses.
type accountSetting struct {
	name   ecs.SettingName
	values []string
}

// accountSettings are all of them, in the order of their names, as AWS lists
// them. Source: ECS developer guide, "Access Amazon ECS features with account
// settings".
var accountSettings = []accountSetting{
	{ecs.SettingNameAwsvpcTrunking, []string{"disabled", "enabled"}},
	{ecs.SettingNameContainerInsights, []string{"disabled", "enabled", "enhanced"}},
	{ecs.SettingNameContainerInstanceLongArnFormat, []string{"enabled"}},
	{ecs.SettingNameDefaultLogDriverMode, []string{"non-blocking", "blocking"}},
	{ecs.SettingNameFargateEventWindows, []string{"disabled", "enabled"}},
	{ecs.SettingNameFargateFIPSMode, []string{"disabled", "enabled"}},
	{ecs.SettingNameFargateTaskRetirementWaitPeriod, []string{"7", "0", "14"}},
	{ecs.SettingNameGuardDutyActivate, []string{"off"}},
	{ecs.SettingNameServiceLongArnFormat, []string{"enabled"}},
	{ecs.SettingNameTagResourceAuthorization, []string{"on", "off"}},
	{ecs.SettingNameTaskLongArnFormat, []string{"enabled"}},
}

// longARN reports whether a setting is one of those that AWS has since fixed.
func (a accountSetting) longARN() bool { return strings.HasSuffix(string(a.name), "LongArnFormat") }

// check refuses a value that the setting cannot take.
func (a accountSetting) check(value string) error {
	switch {
	case a.name == ecs.SettingNameGuardDutyActivate:
		return invalid("The setting guardDutyActivate is read-only: it is managed by AWS.")
	case a.longARN() && value == "disabled":
		return invalid("You can no longer disable Long Arn settings.")
	case !slices.Contains(a.values, value):
		return invalid("Invalid setting 'value'")
	}
	return nil
}

// of is the setting that holds for a principal: its own, else root's, else the
// first there was.
func (a accountSetting) of(r store.Reader, scope fargo.Scope, principal string) ecs.Setting {
	if s, ok := store.FindAccountSetting(r, scope, a.name, principal); ok {
		return s.Setting
	}
	s := a.setting(root(scope), a.values[0])
	if a.name == ecs.SettingNameGuardDutyActivate {
		s.Type = ecs.SettingTypeAwsManaged
	}
	return s
}

// own is what a principal has chosen itself.
func (a accountSetting) own(r store.Reader, scope fargo.Scope, principal string) (ecs.Setting, bool) {
	key := (&record.AccountSetting{Scope: scope, Setting: a.setting(principal, "")}).Key()
	s, ok := store.AccountSettings.Get(r, key)
	if !ok {
		return ecs.Setting{}, false
	}
	return s.Setting, true
}

func (a accountSetting) setting(principal, value string) ecs.Setting {
	return ecs.Setting{Name: a.name, Value: &value, PrincipalArn: &principal, Type: ecs.SettingTypeUser}
}

// settingNamed finds a setting; the name is one of the model's.
func settingNamed(name ecs.SettingName) (accountSetting, error) {
	for _, a := range accountSettings {
		if a.name == name {
			return a, nil
		}
	}
	return accountSetting{}, invalid("Unknown setting name: %s", name)
}

// insightsOf is what clusters that a principal makes do about Container
// Insights, when it does not say.
func insightsOf(r store.Reader, scope fargo.Scope, principal string) string {
	a, _ := settingNamed(ecs.SettingNameContainerInsights)
	return *a.of(r, scope, principal).Value
}

func root(scope fargo.Scope) string { return "arn:aws:iam::" + scope.Account + ":root" }

// principal is whose settings a call means. Only root may speak of others.
func principal(r store.Reader, c *api.Call, asked *string) (string, error) {
	self := store.SettingsOwner(r, c.Scope(), c.PrincipalARN)
	if asked == nil || *asked == self {
		return self, nil
	}
	if self != root(c.Scope()) {
		return "", ecs.AccessDeniedException("You must be the root user or the principal %s to use its account settings.", *asked)
	}
	a, ok := fargo.ParseARN(*asked)
	if !ok || a.Service != "iam" || a.Account != c.Account {
		return "", invalid("The specified principalArn is not valid: %s", *asked)
	}
	return *asked, nil
}

// ListAccountSettings shows the settings a principal has chosen, or with
// effectiveSettings all that hold for it.
func (s *Server) ListAccountSettings(ctx context.Context, in *ecs.ListAccountSettingsInput) (*ecs.ListAccountSettingsOutput, error) {
	call, view := api.CallFrom(ctx), s.db.View()
	who, err := principal(view, call, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	if in.Value != nil && in.Name == "" {
		return nil, invalid("A setting name must be specified when filtering by value.")
	}
	settings, next, err := page.Of(settingPages.Ask(in, in.NextToken, in.MaxResults), func(yield func(ecs.Setting) bool) {
		for _, a := range accountSettings {
			v, ok := a.own(view, call.Scope(), who)
			if aws.Value(in.EffectiveSettings) {
				v, ok = a.of(view, call.Scope(), who), true
			}
			wanted := ok && (in.Name == "" || a.name == in.Name) && (in.Value == nil || *v.Value == *in.Value)
			if wanted && !yield(v) {
				return
			}
		}
	}, func(v ecs.Setting) string { return string(v.Name) })
	return &ecs.ListAccountSettingsOutput{Settings: settings, NextToken: next}, err
}

// PutAccountSetting chooses for a principal, the caller unless told otherwise.
func (s *Server) PutAccountSetting(ctx context.Context, in *ecs.PutAccountSettingInput) (*ecs.PutAccountSettingOutput, error) {
	call := api.CallFrom(ctx)
	who, err := principal(s.db.View(), call, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	if in.Name == ecs.SettingNameFargateTaskRetirementWaitPeriod && who != root(call.Scope()) {
		return nil, invalid("You must use the root user to set %s.", in.Name)
	}
	set, err := s.putSetting(ctx, in.Name, *in.Value, who)
	return &ecs.PutAccountSettingOutput{Setting: set}, err
}

// PutAccountSettingDefault chooses for all who have not chosen themselves.
func (s *Server) PutAccountSettingDefault(ctx context.Context, in *ecs.PutAccountSettingDefaultInput) (*ecs.PutAccountSettingDefaultOutput, error) {
	set, err := s.putSetting(ctx, in.Name, *in.Value, root(api.CallFrom(ctx).Scope()))
	return &ecs.PutAccountSettingDefaultOutput{Setting: set}, err
}

func (s *Server) putSetting(ctx context.Context, name ecs.SettingName, value, who string) (*ecs.Setting, error) {
	a, err := settingNamed(name)
	if err != nil {
		return nil, err
	}
	if err := a.check(value); err != nil {
		return nil, err
	}
	set := a.setting(who, value)
	return &set, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		store.AccountSettings.Put(tx, &record.AccountSetting{Scope: scope, Setting: set})
		return nil
	})
}

// DeleteAccountSetting forgets what a principal has chosen, and shows what now
// holds for it.
func (s *Server) DeleteAccountSetting(ctx context.Context, in *ecs.DeleteAccountSettingInput) (*ecs.DeleteAccountSettingOutput, error) {
	who, err := principal(s.db.View(), api.CallFrom(ctx), in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	a, err := settingNamed(in.Name)
	if err != nil {
		return nil, err
	}
	var left ecs.Setting
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		if old, ok := a.own(tx, scope, who); ok {
			store.AccountSettings.Delete(tx, (&record.AccountSetting{Scope: scope, Setting: old}).Key())
		}
		left = a.of(tx, scope, who)
		return nil
	})
	return &ecs.DeleteAccountSettingOutput{Setting: &left}, err
}
