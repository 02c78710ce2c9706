//go:build models

// Package tools pins what the checks of this repository use and the product must not link.
package tools

// AWS's own descriptions of its APIs (models/apis) come with this archived module: test data, never built.
import _ "github.com/aws/aws-sdk-go/aws"
