using System.Buffers.Text;
using System.Text.Json;
using Krate.Core.Resources;

namespace Krate.Core.Store.Lists;

/// <summary>Where a list goes on: the version it shows and the last key that was given. Opaque to clients.</summary>
internal sealed record ContinueToken(long Version, string Namespace, string Name)
{
    private sealed record Wire(int V, long Rv, string Ns, string Name);

    public static ContinueToken Parse(string text)
    {
        try
        {
            var wire = JsonSerializer.Deserialize<Wire>(Base64Url.DecodeFromChars(text), KrateJson.Options);
            if (wire is { V: 1, Rv: >= 0, Ns: not null, Name: not null }) return new(wire.Rv, wire.Ns, wire.Name);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
        }

        throw ApiException.BadRequest("continue key is not valid; list again without it");
    }

    public override string ToString() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new Wire(1, Version, Namespace, Name), KrateJson.Options));
}
