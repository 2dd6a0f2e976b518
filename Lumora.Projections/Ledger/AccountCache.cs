using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The accounts that the writer used last, with "there is none" as a value of its own: nobody else can open one while
/// the fence is ours. Bounded; the longest unused goes first.
/// </summary>
internal sealed class AccountCache(int capacity)
{
    private readonly Dictionary<AccountKey, LinkedListNode<(AccountKey Key, LedgerAccount? Account)>> _nodes = [];
    private readonly LinkedList<(AccountKey Key, LedgerAccount? Account)> _byUse = new();

    public int Count => _nodes.Count;

    private bool TryGet(AccountKey key, out LedgerAccount? account)
    {
        account = null;
        if (!_nodes.TryGetValue(key, out var node))
            return false;
        _byUse.Remove(node);
        _byUse.AddLast(node);
        account = node.Value.Account;
        return true;
    }

    /// <summary>Which of <paramref name="keys"/> have to be read, and the accounts that exist among the others.</summary>
    public (List<AccountKey> Missing, List<LedgerAccount> Cached) Split(IEnumerable<AccountKey> keys)
    {
        var (missing, cached) = (new List<AccountKey>(), new List<LedgerAccount>());
        foreach (var key in keys)
        {
            if (!TryGet(key, out var account))
                missing.Add(key);
            else if (account is not null)
                cached.Add(account);
        }

        return (missing, cached);
    }

    public void Put(AccountKey key, LedgerAccount? account)
    {
        if (_nodes.TryGetValue(key, out var node))
        {
            _byUse.Remove(node);
            node.Value = (key, account);
            _byUse.AddLast(node);
            return;
        }

        _nodes[key] = _byUse.AddLast((key, account));
        while (_nodes.Count > capacity)
        {
            _nodes.Remove(_byUse.First!.Value.Key);
            _byUse.RemoveFirst();
        }
    }

    public void Clear()
    {
        _nodes.Clear();
        _byUse.Clear();
    }
}
