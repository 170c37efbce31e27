package store

import "fargo/record"

// PlatformCertificates are those of Fargo's own APIs, by region.
var PlatformCertificates = NewTable("platformcertificate", (*record.PlatformCertificate).Key).Sealed()
