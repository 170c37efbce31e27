package acm

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "RequestCertificate", Field: "ValidationMethod, DomainValidationOptions", Why: "nothing is validated: certificates are issued at once, by an authority of Fargo's own"},
	{Operation: "RequestCertificate", Field: "Options.CertificateTransparencyLoggingPreference", Why: "certificates are not logged"},
}
