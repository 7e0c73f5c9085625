using System.Text;
using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Krate.Core.Resources;
using Krate.Tests.Resources.Patching;
using Krate.Web.Api;
using Krate.Web.Api.Protobuf;
using Xunit;

namespace Krate.Tests.Api;

/// <summary>Reading bodies, without a server.</summary>
public sealed class ReadingTests
{
    [Property(Arbitrary = [typeof(RandomDocuments)], MaxTest = 200)]
    public bool Json_is_read_as_it_was_written(JsonObject document) =>
        JsonNode.DeepEquals(document, JsonBody.Parse(Encoding.UTF8.GetBytes(document.ToJsonString()), []));

    [Property(MaxTest = 500)]
    public bool Any_bytes_are_json_or_a_clear_refusal(byte[] bytes) => IsReadOrRefused(() => JsonBody.Parse(bytes, []));

    [Property(MaxTest = 1000)]
    public bool Any_bytes_are_protobuf_or_a_clear_refusal(byte[] bytes)
    {
        // A Role in its envelope, with noise for its content.
        byte[] meta = [0x0a, 0x1c, .. "rbac.authorization.k8s.io/v1"u8, 0x12, 0x04, .. "Role"u8];
        byte[] noise = bytes.Length > 100 ? bytes[..100] : bytes;
        return IsReadOrRefused(() => KubernetesProtobuf.Decode([.. "k8s\0"u8, 0x0a, (byte)meta.Length, .. meta, 0x12, (byte)noise.Length, .. noise]));
    }

    [Fact]
    public void A_protobuf_event_keeps_times_numbers_and_maps()
    {
        byte[] time = [0x08, 0x80, 0xb0, 0xd5, 0xb0, 0x06];
        byte[] labels = [0x0a, 0x01, (byte)'a', 0x12, 0x01, (byte)'b'];
        byte[] owner = [0x22, 0x01, (byte)'u', 0x30, 0x01];
        byte[] metadata = [0x0a, 0x01, (byte)'e', 0x5a, (byte)labels.Length, .. labels, 0x6a, (byte)owner.Length, .. owner];
        byte[] raw = [0x0a, (byte)metadata.Length, .. metadata, 0x3a, (byte)time.Length, .. time, 0x40, 0x03];
        byte[] meta = [0x0a, 0x02, .. "v1"u8, 0x12, 0x05, .. "Event"u8];
        var document = KubernetesProtobuf.Decode([.. "k8s\0"u8, 0x0a, (byte)meta.Length, .. meta, 0x12, (byte)raw.Length, .. raw]);
        Assert.Equal(
            """{"apiVersion":"v1","kind":"Event","metadata":{"name":"e","labels":{"a":"b"},"ownerReferences":[{"uid":"u","controller":true}]},"lastTimestamp":"2024-04-09T15:00:16Z","count":3}""",
            document.ToJsonString());
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(150, "2m30s")]
    [InlineData(600, "10m")]
    [InlineData(11_000, "3h3m")]
    [InlineData(100_000, "27h")]
    [InlineData(300_000, "3d11h")]
    [InlineData(900_000, "10d")]
    [InlineData(100_000_000, "3y62d")]
    [InlineData(300_000_000, "9y")]
    [InlineData(-5, "<invalid>")]
    public void Ages_are_printed_as_kubectl_does(long seconds, string text) => Assert.Equal(text, HumanDuration.Of(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("", "namespaces", "Namespace", "", null, "")]
    [InlineData("", "namespaces/x", "Namespace", "", "x", "")]
    [InlineData("", "namespaces/x/status", "Namespace", "", "x", "status")]
    [InlineData("", "namespaces/x/secrets", "Secret", "x", null, "")]
    [InlineData("", "secrets", "Secret", null, null, "")]
    [InlineData("", "namespaces/x/serviceaccounts/y/token", "ServiceAccount", "x", "y", "token")]
    [InlineData("rbac.authorization.k8s.io", "clusterroles/y", "ClusterRole", "", "y", "")]
    public void A_path_points_at_one_thing(string group, string rest, string kind, string? ns, string? name, string subresource)
    {
        var path = KubernetesPath.Parse(Krate.Core.Kinds.KindTable.Catalog, group, "v1", rest);
        Assert.Equal((kind, ns, name, subresource), (path.Kind.Kind, path.Namespace, path.Name, path.Subresource));
    }

    private static bool IsReadOrRefused(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (ApiException refusal)
        {
            return refusal.Code is >= 400 and < 500;
        }
    }
}
