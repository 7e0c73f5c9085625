using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Store.Commits;

/// <summary>An audit document with everything but its place in the chain.</summary>
internal sealed class PreparedAudit
{
    private readonly JsonObject document;

    public PreparedAudit(JsonObject given, DateTimeOffset now)
    {
        document = given.Copy();
        var metadata = document.Child("metadata");
        metadata.Remove("resourceVersion");
        metadata["name"] = "";
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Timestamps.Format(now);
    }

    /// <summary>The row at a place in the chain.</summary>
    /// <param name="numbered">The name that the commit's numbered create got: nobody knew it before.</param>
    public AuditEntry At(long seq, long at, byte[] prevHash, string? numbered)
    {
        if (numbered is not null && document.At("spec.target") is JsonObject target && string.IsNullOrEmpty(target.Text("name"))) target["name"] = numbered;
        document.Child("metadata")["name"] = AuditEntry.NameOf(seq, at, prevHash);
        var body = KrateJson.ToText(document);
        return AuditEntry.FromBody(seq, at, document, body, prevHash, AuditEntry.HashOf(prevHash, body));
    }
}

/// <summary>One row of the audit table. The filter columns repeat what the body says.</summary>
internal sealed record AuditEntry(
    long Seq, long At, string Namespace, string Org, string Type, string Actor, string Correlation, string Body, byte[] PrevHash, byte[] Hash)
{
    private const string Prefix = "audit-";

    public static AuditEntry FromBody(long seq, long at, JsonObject document, string body, byte[] prevHash, byte[] hash) => new(
        seq,
        at,
        Column(document, "metadata.namespace"),
        Column(document, "spec.organizationRef"),
        Column(document, "spec.type"),
        Column(document, "spec.actor.name"),
        Column(document, "spec.metadata.correlationId"),
        body,
        prevHash,
        hash);

    /// <summary>SHA-256 over the hash before and the stored text.</summary>
    public static byte[] HashOf(byte[] prevHash, string body)
    {
        var text = Encoding.UTF8.GetBytes(body);
        var buffer = new byte[prevHash.Length + text.Length];
        prevHash.CopyTo(buffer, 0);
        text.CopyTo(buffer, prevHash.Length);
        return SHA256.HashData(buffer);
    }

    /// <summary>A lower-case ULID: the time, then the sequence number in the place of most of the randomness, so that names sort as rows do and lead back to them.</summary>
    public static string NameOf(long seq, long at, byte[] prevHash)
    {
        Span<byte> bytes = stackalloc byte[16];
        Span<byte> time = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(time, at);
        time[2..].CopyTo(bytes);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes[6..], seq);
        prevHash.AsSpan(0, Math.Min(2, prevHash.Length)).CopyTo(bytes[14..]);
        return Prefix + new Ulid(bytes).ToString().ToLowerInvariant();
    }

    /// <summary>The sequence number inside a name; null when it is no such name.</summary>
    public static long? SeqOf(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) && Ulid.TryParse(name[Prefix.Length..].ToUpperInvariant(), out var ulid)
            ? System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(ulid.ToByteArray().AsSpan(6, 8))
            : null;

    /// <summary>The text a filter column holds for a value.</summary>
    private static string Column(JsonObject document, string path) => IndexedValues.Clip(document.Text(path) ?? "");
}
