"""Where the API begins."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.fields import Output
from apps.api.views import ApiView, KeyRequest


class RootOutput(Output):
    """Whose key this is, and where to read on."""

    account = serializers.CharField(help_text="The account that the key belongs to.")
    key = serializers.CharField(help_text="The key's name.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="What the key may do.")
    schema = serializers.CharField(help_text="Address of the OpenAPI document.")
    docs = serializers.CharField(help_text="Address of this documentation.")


class RootView(ApiView):
    """Whose key this is."""

    @extend_schema(operation_id="get_root", summary="Whose key this is", tags=["Key"], responses=RootOutput)
    def get(self, request: KeyRequest) -> Response:
        """The account, the key and its scopes: a first call that shows that the key works."""
        key = request.auth
        return Response(
            {
                "account": key.tenant.name,
                "key": key.name,
                "scopes": key.scopes,
                "schema": "/api/schema/",
                "docs": "/api/docs/",
            }
        )
