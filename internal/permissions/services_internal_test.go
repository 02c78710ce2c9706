package permissions

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
)

// A service that activities learn to use must be asked for, or left out by decision.
func TestEveryServiceOfTheActivitiesHasAPrefix(t *testing.T) {
	services := reflect.TypeFor[aws.Services]()
	clients := 0
	for i := range services.NumField() {
		api := services.Field(i).Type
		if api.Kind() == reflect.Interface && strings.HasSuffix(api.Name(), "API") { // the rest is what clients share
			clients++
			require.Contains(t, servicePrefixes, services.Field(i).Name)
		}
	}
	require.Len(t, servicePrefixes, clients)
}
