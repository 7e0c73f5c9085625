using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;

namespace Krate.Core.Gateway;

/// <summary>Who may see a Secret's value in process (spec 03). A new one needs a reason here.</summary>
public enum SecretReader
{
    /// <summary>Materialises granted values for a run at launch.</summary>
    Launcher,

    /// <summary>Injects a model provider's credential on the way out.</summary>
    ProviderProxy,

    /// <summary>Signs webhook deliveries.</summary>
    WebhookSigner,

    /// <summary>Probes an MCP server with its headers.</summary>
    McpProbe,

    /// <summary>Imports a repository from a private remote.</summary>
    GitImport,

    /// <summary>Proves Krate to a sign-in provider when a code is exchanged.</summary>
    SignIn,
}

/// <summary>
/// The only code that decrypts Secret values: AES-256-GCM, key outside the database, each value bound to its Secret's uid and
/// key name. Values never reach a read path, the change log, audit or managedFields. Thread-safe.
/// </summary>
public sealed class SecretVault
{
    /// <summary>Shorter or simpler values are not "known": the scanner would be an oracle for them.</summary>
    private const int MinKnownLength = 12;
    private const int MinKnownDistinct = 8;
    private const byte Format = 1;

    private readonly IResourceStore store;
    private readonly IResourceCache cache;
    private readonly KindDefinition secretKind;
    private readonly byte[] masterKey;
    private readonly ConcurrentDictionary<string, Task<KnownSecrets>> known = new(StringComparer.Ordinal);

    public SecretVault(IResourceStore store, IResourceCache cache, KindCatalog catalog, DataDirectory data)
    {
        this.store = store;
        this.cache = cache;
        secretKind = catalog["Secret"];
        masterKey = Convert.FromBase64String(PrivateFile.ReadOrCreate(Path.Combine(data.Keys, "secrets.key"), () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
        store.Feed.Observe(change =>
        {
            if (change.After.Kind == secretKind) known.TryRemove(change.After.Namespace, out _);
        });
    }

    /// <summary>A value in clear, for the callers of <see cref="SecretReader"/> only.</summary>
    /// <returns>Null when the Secret or the key does not exist.</returns>
    public async Task<byte[]?> ReadAsync(SecretReader reader, string ns, string name, string key, CancellationToken ct)
    {
        if (!Enum.IsDefined(reader)) throw new ArgumentOutOfRangeException(nameof(reader));
        if (cache.Get(secretKind, ns, name) is not { } secret) return null;
        var values = await store.ReadSecretValuesAsync(secret.Uid, ct);
        return values.TryGetValue(key, out var cipher) ? Decrypt(secret.Uid, key, cipher) : null;
    }

    /// <summary>Dotted path of the first field that contains a known secret value of the namespace, or null. Never says which value.</summary>
    public async Task<string?> FindKnownValueAsync(string ns, JsonObject document, CancellationToken ct)
    {
        return Find(document, "", (await KnownAsync(ns, ct)).Texts);
    }

    /// <summary>What masks the values of a namespace in bytes that are stored. Ask again for each use: it does not learn.</summary>
    internal Task<KnownSecrets> KnownAsync(string ns, CancellationToken ct) => known.GetOrAdd(ns, LoadKnownAsync).WaitAsync(ct);

    /// <summary>The encrypted form of a value for the store.</summary>
    internal byte[] Encrypt(string uid, string key, ReadOnlySpan<byte> value)
    {
        var sealed_ = new byte[1 + 12 + 16 + value.Length];
        sealed_[0] = Format;
        var nonce = sealed_.AsSpan(1, 12);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(masterKey, 16);
        aes.Encrypt(nonce, value, sealed_.AsSpan(29), sealed_.AsSpan(13, 16), Encoding.UTF8.GetBytes($"{uid}/{key}"));
        return sealed_;
    }

    /// <summary>Whether a stored value equals <paramref name="value"/>, in constant time.</summary>
    internal bool Matches(string uid, string key, byte[] cipher, ReadOnlySpan<byte> value)
    {
        var plain = Decrypt(uid, key, cipher);
        var same = CryptographicOperations.FixedTimeEquals(plain, value);
        CryptographicOperations.ZeroMemory(plain);
        return same;
    }

    internal byte[] Decrypt(string uid, string key, byte[] cipher)
    {
        if (cipher.Length < 29 || cipher[0] != Format) throw new CryptographicException("unknown format of a stored Secret value");
        var plain = new byte[cipher.Length - 29];
        using var aes = new AesGcm(masterKey, 16);
        aes.Decrypt(cipher.AsSpan(1, 12), cipher.AsSpan(29), cipher.AsSpan(13, 16), plain, Encoding.UTF8.GetBytes($"{uid}/{key}"));
        return plain;
    }

    private async Task<KnownSecrets> LoadKnownAsync(string ns)
    {
        var values = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var (uid, key, cipher) in store.ReadAllSecretValuesAsync(ns, CancellationToken.None))
        {
            var text = Encoding.UTF8.GetString(Decrypt(uid, key, cipher)).Trim();
            if (text.Length >= MinKnownLength && text.Distinct().Count() >= MinKnownDistinct) values.Add(text);
        }

        return new KnownSecrets(values);
    }

    private static string? Find(JsonNode? node, string path, SearchValues<string> values)
    {
        switch (node)
        {
            case JsonObject o:
                foreach (var (key, child) in o)
                {
                    if (path == "metadata" && key == "managedFields") continue;
                    if (key.AsSpan().ContainsAny(values)) return path.Length == 0 ? "(a field name)" : path;
                    if (Find(child, path.Length == 0 ? key : $"{path}.{key}", values) is { } found) return found;
                }

                return null;
            case JsonArray a:
                for (var i = 0; i < a.Count; i++)
                    if (Find(a[i], $"{path}[{i}]", values) is { } found) return found;
                return null;
            case JsonValue v when v.TryGetValue<string>(out var text):
                return text.AsSpan().ContainsAny(values) ? path : null;
            default:
                return null;
        }
    }
}
